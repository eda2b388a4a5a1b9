import { basename, dirname, relative } from 'node:path';

/** How the user starts this program: `npx hone`, `hone`, or `node dist/lib/cli/main.js` in a clone. */
export function commandName(
  script: string = process.argv[1] ?? '',
  npmCommand: string | undefined = process.env.npm_command,
  folder: string = process.cwd(),
): string {
  const name = basename(script);
  // A project's own commands are not on the PATH of a shell.
  if (npmCommand === 'exec' || basename(dirname(script)) === '.bin') return 'npx hone';
  return name.endsWith('.js') ? `node ${relative(folder, script)}` : 'hone';
}

/** A text with the commands in it, which are written as \`hone VERB\`, as the user would type them. */
export function withCommandName(text: string, name: string = commandName()): string {
  return text.replaceAll(/`hone(?=[ `])/g, `\`${name}`);
}
