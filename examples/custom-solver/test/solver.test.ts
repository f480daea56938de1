import { conformance } from '@flow-matching/conformance';
import { ralston4 } from 'flow-matching-example-solver';

conformance.solver(ralston4);
