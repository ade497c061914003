import type { domains as en } from '../en/domains.ts';

/** 域名：列表，以及一个名称和它下面的全部。 */
export const domains: Record<keyof typeof en, string> = {
  'domains.none': '这个范围内没有域名',
  'domains.none.text': '没有查询，或者过滤式没有放行。请扩大范围或移除过滤式。',
  'domains.quiet': '这个范围内没有被查询。',
  'domains.asked': '被查询 {n} 次',
  'domains.by': '，来自 {clients}，涉及 {names}。',
  'domains.missing': '其中 {percent} 不存在。',

  'domains.tree': '下级名称',
  'domains.tree.note': '{n} 个名称',
  'domains.tree.most': '查询最多的 {n} 个名称',
  'domains.tree.none': '没有查询过它的下级',
  'domains.tree.name': '名称',
  'domains.tree.part': '占比',
  'domains.tree.open': '显示 {name} 的下级',
  'domains.tree.hidden': '还有 {n} 个没有画出：请用过滤式缩小范围。',

  'domains.growth': '不同的名称',
  'domains.growth.note': '这个范围内新增 {n} 个',
  'domains.growth.asked': '被查询',
  'domains.growth.known': '已知有应答',
  'domains.growth.bounded': '只取前 {n} 条记录：曲线是下限。',

  'domains.shape': '标签的形状',
  'domains.shape.note': '{n} 个名称',
  'domains.length': '最长标签（字节）',
  'domains.entropy': '熵（每字节比特）',
  'domains.longest': '最长的有 {n} 字节：',

  'domains.records': '记录的变迁',
  'domains.records.changed': '{n} 处变化',
  'domains.records.none': '没有已知记录',
  'domains.records.none.text': '被动 DNS 从应答中学习：还没有见过。',
  'domains.lane': '变化',
  'domains.lane.new': '新',
  'domains.lane.gone': '消失',
  'domains.ttl': 'TTL',
  'domains.ttl.still': '没有变化',
  'domains.ttl.mixed': '{n} 个名称合在一起',
  'domains.ttl.moved': '{n} 次变化，最近一次 {before} → {after}',
  'domains.ttl.max': '最大',
  'domains.ttl.min': '最小',
  'domains.churn': '地址',
  'domains.churn.note': '保存的数据中共 {n} 个',
  'domains.churn.alive': '在用',
  'domains.churn.fresh': '首次出现',

  'domains.misses': '查询未果',
  'domains.misses.note': '仅此名称，保存的全部数据',
  'domains.misses.none': '总有应答',
  'domains.misses.kind': '结果',

  'domains.pivots': '继续追查',
  'domains.pivots.note': '{n} 个罕见',
  'domains.pivots.go': '{data} 的被动 DNS',
};
