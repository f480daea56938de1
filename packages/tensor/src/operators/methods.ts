import { mean } from '../composites/statistics.ts';
import { Tensor } from '../graph/tensor.ts';
import * as operators from './index.ts';

type Methods = Omit<Tensor, 'node' | 'index' | 'shape' | 'dtype' | 'rank' | 'size' | 'toString'>;

/** The chained spelling of operators. */
const methods: Methods & ThisType<Tensor> = {
  add(other) {
    return operators.add(this, other);
  },
  sub(other) {
    return operators.sub(this, other);
  },
  mul(other) {
    return operators.mul(this, other);
  },
  div(other) {
    return operators.div(this, other);
  },
  pow(exponent) {
    return operators.pow(this, exponent);
  },
  neg() {
    return operators.neg(this);
  },
  exp() {
    return operators.exp(this);
  },
  log() {
    return operators.log(this);
  },
  sqrt() {
    return operators.sqrt(this);
  },
  square() {
    return operators.mul(this, this);
  },
  abs() {
    return operators.abs(this);
  },
  sin() {
    return operators.sin(this);
  },
  cos() {
    return operators.cos(this);
  },
  tanh() {
    return operators.tanh(this);
  },
  sigmoid() {
    return operators.sigmoid(this);
  },
  equal(other) {
    return operators.equal(this, other);
  },
  less(other) {
    return operators.less(this, other);
  },
  lessOrEqual(other) {
    return operators.lessOrEqual(this, other);
  },
  greater(other) {
    return operators.greater(this, other);
  },
  greaterOrEqual(other) {
    return operators.greaterOrEqual(this, other);
  },
  matmul(other) {
    return operators.matmul(this, other);
  },
  sum(axes, options) {
    return operators.reduceSum(this, axes, options);
  },
  mean(axes, options) {
    return mean(this, axes, options);
  },
  max(axes, options) {
    return operators.reduceMax(this, axes, options);
  },
  min(axes, options) {
    return operators.reduceMin(this, axes, options);
  },
  reshape(shape) {
    return operators.reshape(this, shape);
  },
  transpose(permutation) {
    return operators.transpose(this, permutation);
  },
  expand(shape) {
    return operators.expand(this, shape);
  },
  slice(axis, start, end, step) {
    return operators.sliceAxis(this, axis, start, end, step);
  },
  cast(dtype) {
    return operators.cast(this, dtype);
  },
};
Object.assign(Tensor.prototype, methods);
