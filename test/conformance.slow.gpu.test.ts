import { conformanceOfSubject } from './support/conformanceOfSubject.ts';
import { webgpuSubject } from './support/webgpu/webgpuSubject.ts';

conformanceOfSubject(webgpuSubject, [0, 1, 3, 4, 5]);
