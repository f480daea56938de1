export const storedResults: Readonly<Record<string, Readonly<Record<string, { values: string; effect: string }>>>> = {};
