import { defineCoupling, type Coupling } from '@flow-matching/core';
import { finishNow } from '@flow-matching/tensor';
import * as z from 'zod';
import { linearAssignment } from '../transport/linearAssignment.ts';
import { squaredDistances } from '../transport/squaredDistances.ts';
import { conditionOption, refuseConditions } from './refuseConditions.ts';

/**
 * Minibatch optimal transport: the permutation with the smallest total squared distance (Pooladian et al. 2023, "Multisample
 * flow matching"; Tong et al. 2024, "Improving and generalizing flow-based generative models with minibatch optimal
 * transport"). Exact.
 *
 * @throws DataError for conditions, unless they are ignored; NumericalError for points that are not finite.
 */
export const optimalTransportCoupling = defineCoupling({
  name: 'optimal-transport',
  summary: 'The permutation of least squared distance, exact',
  options: z.strictObject(conditionOption),
  create: ({ ignoreCondition }): Coupling => ({
    name: 'optimal-transport',
    pair(request) {
      refuseConditions('optimal-transport', request, ignoreCondition);
      return finishNow(linearAssignment(squaredDistances(request.x1, request.x0))).columns;
    },
  }),
});
