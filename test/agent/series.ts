/** Series of a Prometheus text: name{labels} -> value. Throws on a line that is none, and on one that comes twice. */
export function parseSeries(text: string): Map<string, number> {
  const series = new Map<string, number>();
  const types = new Map<string, string>();
  for (const line of text.trimEnd().split('\n')) {
    const type = /^# TYPE ([a-z_:][a-z0-9_:]*) (counter|gauge|histogram|summary)$/.exec(line);
    if (type) types.set(type[1], type[2]);
    if (line.startsWith('# HELP ') || type) continue;
    const match = /^([a-z_:][a-z0-9_:]*)(\{(?:[a-z_]+="(?:[^"\\\n]|\\.)*",?)*\})? (\S+)$/.exec(line);
    if (match === null) throw new Error(`not a series: ${line}`);
    const base = types.get(match[1].replace(/_(bucket|sum|count)$/, ''));
    if (!types.has(match[1]) && base !== 'histogram' && base !== 'summary') throw new Error(`no type: ${line}`);
    const name = match[1] + (match[2] ?? '');
    if (series.has(name)) throw new Error(`twice: ${line}`);
    series.set(name, Number(match[3]));
  }
  return series;
}
