import type { alerts as en } from '../en/alerts.ts';

/** 告警收件箱。 */
export const alerts: Record<keyof typeof en, string> = {
  'alerts.open': '{n} 条未处理',
  'alerts.state': '状态',
  'alerts.state.open': '未处理',
  'alerts.state.acknowledged': '已确认',
  'alerts.state.muted': '已静音',
  'alerts.state.closed': '已关闭',
  'alerts.state.false_positive': '误报',
  'alerts.severity': '严重程度',
  'alerts.severity.low': '低',
  'alerts.severity.medium': '中',
  'alerts.severity.high': '高',
  'alerts.severity.critical': '严重',
  'alerts.title': '告警',
  'alerts.about': '对象',
  'alerts.detector': '检测器',
  'alerts.confidence': '把握',
  'alerts.evidence': '证据',
  'alerts.related': '告警',
  'alerts.related.none': '没有',
  'alerts.none': '没有未处理的告警',
  'alerts.none.text': '检测器将在之后的版本提供。超出通常的内容已经在总览中标出；下面的搜寻列出值得一看的内容。',
  'alerts.none.state': '没有告警：{state}。',
  'alerts.hunts': '搜寻',
};
