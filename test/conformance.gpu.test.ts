import { conformanceOfSubject, withoutGrowth } from './support/conformanceOfSubject.ts';
import { webgpuSubject } from './support/webgpu/webgpuSubject.ts';

conformanceOfSubject(webgpuSubject, [0, 2], withoutGrowth);
