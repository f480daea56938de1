import { conformanceOfSubject } from './support/conformanceOfSubject.ts';
import { webgpuSubject } from './support/webgpu/webgpuSubject.ts';

conformanceOfSubject(webgpuSubject, [3, 4, 5]);
