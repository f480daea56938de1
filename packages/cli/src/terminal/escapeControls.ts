import { oneLine } from '@flow-matching/tensor/shorten';

/**
 * Characters that affect a terminal without being text: control characters (C0 except tab and line feed, delete, C1), which
 * start escape sequences; line and paragraph separators; marks that reorder text.
 */
// eslint-disable-next-line no-control-regex
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

const escaped = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/**
 * Text that is safe to print, whatever file names and keys it contains: control characters become escapes such as `\u001b`,
 * which JSON can read back. Tabs and line feeds are kept.
 */
export const escapeControls = (text: string): string => text.replaceAll(controls, escaped);

/** Like {@link escapeControls}, for a name within a line: tabs and line feeds are escaped too. */
export const escapeName = (name: string): string => escapeControls(oneLine(name));
