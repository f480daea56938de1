import { fileURLToPath } from 'node:url';
import { register } from 'tsx/esm/api';

// Names the configuration outright: the root tsconfig.json only lists projects, and tsx would then miss experimentalDecorators.
register({ tsconfig: fileURLToPath(new URL('../../tsconfig.base.json', import.meta.url)) });
