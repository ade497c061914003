import type { clients as en } from '../en/clients.ts';

/** 客户端：列表，以及其中一个。 */
export const clients: Record<keyof typeof en, string> = {
  'clients.none': '这个范围内没有客户端',
  'clients.none.text': '没有人查询，或者过滤式没有放行。请扩大范围或移除过滤式。',
  'clients.audited': '查看客户端会记入审计日志。',
  'clients.quiet': '这个范围内没有查询。',
  'clients.asked': '查询 {n} 次',
  'clients.about': '，涉及 {names}。',
  'clients.failed': '{percent} 的应答是失败。',
  'clients.domains': '查询最多的域名',
  'clients.names': '查询最多的名称',
  'clients.resolvers': '使用的解析器',

  'clients.new': '新域名',
  'clients.new.note': '{n} 个在之前 {span} 内没有查询过',
  'clients.new.none': '没有：全都查询过',
  'clients.new.first': '没有可比较的',
  'clients.new.first.text': '这个客户端在范围之前的 {span} 内没有查询。',

  'clients.unique': '不同的名称',
  'clients.unique.note': '按域名；很多且各只查询一次：是隧道吗？',
  'clients.unique.part': '每次查询',
  'clients.unique.out': '发出',

  'clients.rhythm': '一周的节律',
  'clients.rhythm.note': '{day} {hour} 最忙，168 小时中有 {active} 小时活跃 · {zone}',
  'clients.rhythm.week': '取最近 7 天：更短的范围看不出节律。',
  'clients.rhythm.range': '所选范围，按一周中的小时。',
  'clients.day': '星期',

  'clients.pauses': '查询之间的间隔',
  'clients.pauses.sample': '最近 {n} 次',
  'clients.pauses.all': '范围内全部 {n} 次',
  'clients.pauses.none': '太少，无法判断',
  'clients.beats': '像时钟一样查询',
  'clients.beats.none': '没有以均匀间隔查询的域名。',
  'clients.beats.every': '每 {span}',
  'clients.beats.rounds': '{n} 轮',
  'clients.beats.note': '间隔均匀并不等于有问题：更新和时钟也是如此。',
};
