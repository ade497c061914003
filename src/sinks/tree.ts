import type { OutputFormat } from './output.ts';
import { layers } from './tree-layers.ts';
import { TreeLines } from './tree-lines.ts';
import { MessageTree } from './tree-message.ts';

/** Everything in a message, field by field, with the layers that carried it. */
export const tree: OutputFormat = {
  name: 'tree',
  summary: 'every field of every message, one per line',
  unit: 'message',
  message(options, writer) {
    const lines = new TreeLines(options, writer);
    const body = new MessageTree(lines);
    return {
      message(carrier, view, join) {
        lines.enterFrame(carrier);
        layers(lines, carrier, options);
        lines.enterMessage(carrier);
        body.show(carrier, view, join);
        lines.gap();
      },
    };
  },
};
