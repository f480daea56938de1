/**
 * What changes a terminal without being text: control characters (C0 but tab and line feed, delete, C1), which begin escape sequences;
 * separators of lines and paragraphs; marks that reorder text.
 */
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Text that shows as it is, whatever file names and keys it holds: control characters become `\u001b` and the like, which JSON reads
 * back. Tabs and line feeds stay.
 */
export const escapeControls = (text: string): string => text.replaceAll(controls, escaped);

/** As {@link escapeControls}, for a name within a line: tabs and line feeds are escaped too. */
export const escapeName = (name: string): string => escapeControls(name.replaceAll(/[\t\n]/g, escaped));
