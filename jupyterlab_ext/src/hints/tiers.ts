/** One tier of an exercise's hints, as its hint cell has it. */
export interface ITier {
  readonly title: string;
  /** Markdown. */
  readonly body: string;
}

/**
 * The tiers of a hint cell: each `<details>` is one, its `<summary>` the title.
 *
 * A cell written in another way is one tier, so that its text is not lost.
 */
export function tiersOf(source: string, otherwise = ''): ITier[] {
  const tiers: ITier[] = [];
  const pattern =
    /<details[^>]*>\s*(?:<summary[^>]*>([\s\S]*?)<\/summary>)?([\s\S]*?)<\/details>/gi;
  for (const [, summary = '', body] of source.matchAll(pattern)) {
    tiers.push({
      title: summary.replace(/<[^>]*>/g, '').trim() || otherwise,
      body: body.trim()
    });
  }
  if (tiers.length === 0 && source.trim()) {
    tiers.push({ title: otherwise, body: source.trim() });
  }
  return tiers;
}
