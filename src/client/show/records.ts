import { rdataText } from '../../rr/show.ts';
import { questionValues, recordValue } from '../../rr/value.ts';
import { MessageView } from '../../wire/message.ts';
import { dotted } from './look.ts';

const SECTIONS = ['question', 'answer', 'authority', 'additional'] as const;

/** A record as dig writes it. */
export interface RecordText {
  section: (typeof SECTIONS)[number];
  name: string;
  ttl: number;
  class: string;
  type: string;
  data: string;
}

/** A view that has read a message. */
export function messageView(bytes: Uint8Array): MessageView {
  const view = new MessageView();
  view.read(bytes, 0, bytes.length);
  return view;
}

/** The records of a message but OPT, names with their last dot. */
export function recordsText(view: MessageView): RecordText[] {
  const list: RecordText[] = [];
  for (let i = 0; i < view.records; i++) {
    if (i === view.opt) continue;
    const record = recordValue(view, i);
    if (record === undefined) break;
    list.push({
      section: SECTIONS[view.section[i]],
      name: dotted(record.name),
      ttl: record.ttl,
      class: record.class,
      type: record.type,
      data: rdataText(view, i, true),
    });
  }
  return list;
}

/** The questions of a message, names with their last dot. */
export function questionsText(view: MessageView): { name: string; type: string; class: string }[] {
  return questionValues(view).map(({ name, type, class: of }) => ({ name: dotted(name), type, class: of }));
}
