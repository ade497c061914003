/** Clients: the list, and one of them. */
export const clients = {
  'clients.none': 'No client in this range',
  'clients.none.text':
    'Nobody asked anything, or the filter lets nothing through. Widen the range or remove the filter.',
  'clients.audited': 'Looking at a client is written to the audit log.',
  'clients.quiet': 'Asked nothing in this range.',
  'clients.asked': 'Asked {n} times',
  'clients.about': 'about {names}.',
  'clients.failed': '{percent} of the answers were failures.',
  'clients.domains': 'Domains asked most',
  'clients.names': 'Names asked most',
  'clients.resolvers': 'Resolvers used',

  'clients.new': 'New domains',
  'clients.new.note': '{n} not asked in the {span} before',
  'clients.new.none': 'None: all were asked before',
  'clients.new.first': 'Nothing to compare with',
  'clients.new.first.text': 'This client asked nothing in the {span} before the range.',

  'clients.unique': 'Distinct names',
  'clients.unique.note': 'many, each once: a tunnel?',
  'clients.unique.part': 'per query',
  'clients.unique.out': 'sent',

  'clients.rhythm': 'Rhythm of the week',
  'clients.rhythm.note': 'busiest {day} {hour}, active in {active} of 168 hours · {zone}',
  'clients.rhythm.week': 'Of the last 7 days: a shorter range says nothing about rhythm.',
  'clients.rhythm.range': 'Of the range, by hour of the week.',
  'clients.day': 'Day',

  'clients.pauses': 'Pauses between questions',
  'clients.pauses.sample': 'of the last {n}',
  'clients.pauses.all': 'all {n} of the range',
  'clients.pauses.none': 'Too few to tell',
  'clients.beats': 'Asked like a clock',
  'clients.beats.none': 'No domain is asked at even pauses.',
  'clients.beats.every': 'every {span}',
  'clients.beats.rounds': '{n} rounds',
  'clients.beats.note': 'Even pauses are no verdict: updates and clocks beat, too.',
} as const;
