import { createContainer } from '@flow-matching/core';
import { builtinPlugins } from '@flow-matching/plugins';
import type { Container } from 'inversify';
import { backends } from './backends.ts';

/** A container with everything in this package. The container of an experiment is its child, with one binding per role. */
export const createRootContainer = (): Container => createContainer([...builtinPlugins, ...backends]);
