import { conformance } from '@flow-matching/conformance';
import eager from 'flow-matching-example-backend';

conformance({ backend: () => eager(), levels: [0, 1, 2] });
