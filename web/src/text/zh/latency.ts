import type { latency as en } from '../en/latency.ts';

/** 延迟与服务器。 */
export const latency: Record<keyof typeof en, string> = {
  'latency.title': '延迟与服务器',
  'latency.none': '这个范围内没有应答。',
  'latency.half': '一半的应答在 {p50} 内到达，99 % 在 {p99} 内。',
  'latency.of': '依据 {n} 个应答；{unanswered} 个查询（{percent}）没有应答。',
  'latency.slowest': '最慢的服务器是',
  'latency.slowest.p95': '，p95 为 {p95}。',
  'latency.heat': '延迟随时间',
  'latency.heat.note': '时间 × log₂ ms；点击打开一格的日志',
  'latency.percentiles': '百分位数',
  'latency.unanswered': '未应答',
  'latency.unanswered.note': '{n} 个查询没有任何应答',
  'latency.log': '在日志中打开',
  'latency.servers': '服务器',
  'latency.servers.none': '这个范围内没有服务器',
  'latency.transport': '传输方式',
  'latency.transports': '按传输方式',
};
