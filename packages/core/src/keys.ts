/** Keys that reach an object's prototype where they are assigned to. */
const reserved = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether a key from outside must not become a key of an object: assigned to, it would change what all objects inherit. */
export const isReservedKey = (key: string): boolean => reserved.has(key);
