/** Keys whose assignment reaches an object's prototype. */
const reserved = new Set(['__proto__', 'constructor', 'prototype']);

/** Whether an external key must not become a key of an object: assigning to it would change what all objects inherit. */
export const isReservedKey = (key: string): boolean => reserved.has(key);
