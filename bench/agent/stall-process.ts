import { connect } from 'node:net';

/** Opens so many uploads that stop after their first byte, and opens another for each that is cut, for so many seconds. */
const { host, port, path, count, seconds } = JSON.parse(process.argv[2]) as {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly count: number;
  readonly seconds: number;
};

function stall(): void {
  const socket = connect(port, host);
  socket.on('error', () => {});
  socket.on('close', stall);
  socket.resume();
  socket.write(`POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{`);
}

for (let number = 0; number < count; number++) stall();
setTimeout(() => process.stdout.write('{}', () => process.exit()), seconds * 1000);
