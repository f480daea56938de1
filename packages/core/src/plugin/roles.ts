import type { ServiceIdentifier } from 'inversify';
import type { Backend } from '@flow-matching/tensor';
import type { Coupling } from '../contracts/coupling.ts';
import type { VectorFieldModel } from '../contracts/model.ts';
import type { Objective, TimeSampler } from '../contracts/objective.ts';
import type { Path } from '../contracts/path.ts';
import type { Solver } from '../contracts/solver.ts';

const role = <Value>(name: string): ServiceIdentifier<Value> => Symbol.for(`@flow-matching/role/${name}`);

/** The roles of an experiment, each bound once in its container. Rebind one to swap that part. */
export const BACKEND = role<Backend>('backend');
export const PATH = role<Path>('path');
export const COUPLING = role<Coupling>('coupling');
export const OBJECTIVE = role<Objective>('objective');
export const TIME_SAMPLER = role<TimeSampler>('timeSampler');
export const MODEL = role<VectorFieldModel>('model');
export const SOLVER = role<Solver>('solver');
