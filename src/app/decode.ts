import { Carrier } from '../core/carrier.ts';
import { MessageJoin } from '../core/join.ts';
import type { TreeNode } from '../server/schema/transactions.ts';
import { MessageTree } from '../sinks/tree-message.ts';
import { MessageView } from '../wire/message.ts';

/** Messages are hostile: more lines than this are not shown. */
const MAX_NODES = 4096;

/** A message field by field as `read -T tree` shows it; offsets count from its first octet. `protocol` = PROTOCOL_NAMES index. */
export function decodeMessage(message: Uint8Array, protocol: number): TreeNode[] {
  const root: TreeNode[] = [];
  /** The node of each depth that the next deeper one belongs to. */
  const open: TreeNode[] = [];
  let nodes = 0;
  const add = (depth: number, node: TreeNode): void => {
    if (++nodes > MAX_NODES) return;
    open.length = Math.min(open.length, depth);
    const parent = open.at(-1);
    if (parent === undefined) root.push(node);
    else (parent.children ??= []).push(node);
    open.push(node);
  };
  // A record that is cut claims octets that are not there.
  const within = (at: number | undefined, length = 0) =>
    at === undefined ? {} : { offset: Math.min(at, message.length), length: clamp(length, message.length - at) };
  const carrier = new Carrier();
  carrier.bytes = message;
  carrier.length = carrier.claimedLength = message.length;
  carrier.protocol = protocol;
  const view = new MessageView();
  view.read(message, 0, message.length, message.length);
  const tree = new MessageTree({
    field: ({ depth, name, value, meaning, at, length, bits }) =>
      add(depth, { label: name, value, meaning, bits, ...within(at, length) }),
    fault: (depth, text, at) => add(depth, { label: 'Fault', value: text, fault: true, ...within(at) }),
  });
  tree.show(carrier, view, new MessageJoin());
  if (nodes > MAX_NODES) root.push({ label: 'Fault', value: `${nodes - MAX_NODES} more lines`, fault: true });
  return root;
}

function clamp(length: number, room: number): number {
  return Math.max(0, Math.min(length, room));
}
