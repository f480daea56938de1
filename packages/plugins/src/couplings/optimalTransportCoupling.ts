import { defineCoupling } from '@flow-matching/core';
import * as z from 'zod';
import { linearAssignment } from '../transport/linearAssignment.ts';
import { squaredDistances } from '../transport/squaredDistances.ts';
import { couplingInSteps } from './couplingInSteps.ts';
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
  create: ({ ignoreCondition }) =>
    couplingInSteps('optimal-transport', function* (request) {
      refuseConditions('optimal-transport', request, ignoreCondition);
      const { columns } = yield* linearAssignment(squaredDistances(request.x1, request.x0));
      return columns;
    }),
});
