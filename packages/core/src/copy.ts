import { packageCopy } from '@flow-matching/tensor';

/** The version of this package. */
export const version = '0.1.0';

/** This copy of this package. */
export const thisCopy = packageCopy('@flow-matching/core', version);
