import type { settings as en } from '../en/settings.ts';

/** 设置与关于。 */
export const settings: Record<keyof typeof en, string> = {
  'settings.look': '本页面',
  'settings.look.note': '保存在这个浏览器中',
  'settings.theme': '主题',
  'settings.zone': '时区',
  'settings.keys': '全部按键列表：',
  'settings.about': '关于',
  'settings.user': '登录身份',
  'settings.role.viewer': '可以查看',
  'settings.role.operator': '可以查看和更改',
  'settings.privacy': '隐私',
  'settings.api': 'API',
  'settings.operators': '配置与审计日志只对操作员显示。',
  'settings.views': '视图',
  'settings.views.note': '视图是带有全部状态的地址；在过滤栏中保存',
  'settings.views.none': '没有保存的视图',
  'settings.views.builtin': '自带',
  'settings.views.delete': '删除视图 {title}',
  'settings.views.deleted': '视图 {name} 已删除',
  'settings.config': '配置',
  'settings.config.default': '内置默认值',
  'settings.config.masked': '机密，不显示',

  'audit.title': '审计',
  'audit.note': '谁看过哪个客户端，谁改过什么',
  'audit.none': '还没有',
  'audit.user': '用户',
  'audit.action': '操作',
  'audit.subject': '对象',
};
