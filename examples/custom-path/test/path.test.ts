import { conformance } from '@flow-matching/conformance';
import { cosineSquaredPath } from 'flow-matching-example-path';

conformance.path(cosineSquaredPath());
