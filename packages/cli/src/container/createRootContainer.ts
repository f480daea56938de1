import { createContainer } from '@flow-matching/core';
import { builtinPlugins } from '@flow-matching/plugins';
import type { Container } from 'inversify';
import { backends } from './backends.ts';

/** Everything this package brings along. An experiment is a child of it, with one binding a role. */
export const createRootContainer = (): Container => createContainer([...builtinPlugins, ...backends]);
