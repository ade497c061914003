/** An event of a stream; `data` is its JSON. */
export interface Event {
  event: string;
  id: string;
  data: unknown;
}

/** The events of a response, as they come; ends with the stream, or when the caller breaks off (which cancels it). */
export async function* eventsOf(response: Response): AsyncGenerator<Event> {
  let text = '';
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    text += decoder.decode(chunk, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      const block = text.slice(0, end);
      text = text.slice(end + 2);
      const fields = new Map(
        block.split('\n').map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const data = fields.get('data');
      if (data !== undefined)
        yield { event: fields.get('event') ?? '', id: fields.get('id') ?? '', data: JSON.parse(data) };
    }
  }
}

/** The first events that pass, at most `count`. */
export async function firstEvents(response: Response, count: number, wanted = 'rows'): Promise<Event[]> {
  const found: Event[] = [];
  for await (const event of eventsOf(response)) {
    if (wanted === '' || event.event === wanted) found.push(event);
    if (found.length >= count) break;
  }
  return found;
}
