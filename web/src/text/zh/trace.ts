import type { trace as en } from '../en/trace.ts';

/** 追踪。 */
export const trace: Record<keyof typeof en, string> = {
  'trace.title': '从根开始追踪',
  'trace.example': 'www.example.com',
  'trace.name': '名称',
  'trace.type': '类型',
  'trace.all': '区域的所有服务器',
  'trace.go': '追踪',
  'trace.running': '正在询问域名服务器……',
  'trace.start': '尚未追踪',
  'trace.start.text': '像解析器一样从根开始跟踪一个名称：询问过的每台服务器，以及签名是否成立。',
  'trace.queries': '{n} 次查询，{ms}',
  'trace.chain': '信任链',
  'trace.secure': '安全',
  'trace.insecure': '未签名',
  'trace.bogus': '已破坏',
  'trace.steps': '步骤',
  'trace.answers': '应答',
  'trace.servers': '{zone} 的服务器',
  'trace.server': '服务器',
  'trace.serial': '序列号',
  'trace.answer': '应答',
  'trace.random': '随机名称',
  'trace.aside': '旁查',
};
