import { runConformance } from '@flow-matching/conformance';
import { lifecycleCases } from '../../src/suites/lifecycleCases.ts';
import { brokenBackend, leakingCompilations } from './brokenBackends.ts';

// Run in a process of its own, whose memory holds nothing that could be given back meanwhile.
const cases = lifecycleCases().filter(({ id }) => id === 'L0/growth/compilations');
const { results } = await runConformance(() => brokenBackend(leakingCompilations), { cases });
console.log(results[0].status);
