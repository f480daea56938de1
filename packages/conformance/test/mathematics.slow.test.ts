import { onnx } from '@flow-matching/backend-onnx';
import { conformance, mathematicsCases } from '@flow-matching/conformance';
import { createReferenceBackend } from '@flow-matching/core';

describe('level 4 on the reference', () => conformance({ backend: createReferenceBackend, cases: mathematicsCases() }));
describe('level 4 on ONNX', () => conformance({ backend: () => onnx({ threads: 2 }), cases: mathematicsCases() }));
