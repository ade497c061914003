import type { AlertDocument } from './document.ts';

const HIDDEN = '[client]';

/** The same alert without addresses of clients, wherever they stand; what people wrote to each other is left out. */
export function redacted(alert: AlertDocument): AlertDocument {
  const clients = new Set(alert.evidence.map(({ client }) => client));
  if (alert.client !== null) clients.add(alert.client);
  const { proposal } = alert;
  if (proposal?.kind === 'client') clients.add(proposal.value);
  const hide = (text: string): string => {
    let hidden = text;
    for (const client of clients) hidden = without(hidden, client);
    return hidden;
  };
  return {
    ...alert,
    subject: hide(alert.subject),
    title: hide(alert.title),
    text: hide(alert.text),
    client: alert.client === null ? null : HIDDEN,
    evidence: alert.evidence.map(({ note, ...one }) => ({
      ...one,
      client: HIDDEN,
      ...(note !== undefined && { note: hide(note) }),
    })),
    proposal: proposal === null ? null : { ...proposal, value: hide(proposal.value), text: hide(proposal.text) },
    journal: [],
  };
}

/** An address is replaced only as a whole: 10.0.0.1 is no part of 10.0.0.12, nor of 10.0.0.1.2. */
function without(text: string, address: string): string {
  if (address === '') return text;
  const escaped = address.replace(/[^0-9a-zA-Z]/g, '\\$&');
  // A port may stand behind IPv4; in IPv6 a colon is part of it. A full stop may end the sentence.
  const [before, behind] = address.includes(':') ? ['[\\w:]', '\\w|:\\w|::'] : ['\\w|\\w\\.', '\\w|\\.\\w'];
  return text.replace(new RegExp(`(?<!${before})${escaped}(?!${behind})`, 'gi'), HIDDEN);
}
