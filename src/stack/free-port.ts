import { createServer } from 'node:net';

/** Binds `port` on the loopback address (0: any free one) and lets it go again. Null where it is taken. */
export function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer();
    server.unref();
    server.once('error', () => resolve(null));
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => {
      const address = server.address();
      const bound = typeof address === 'object' && address !== null ? address.port : null;
      server.close(() => resolve(bound));
    });
  });
}

/**
 * A free port: the remembered one while it is still free, so that addresses survive a restart, else one from the system.
 * Another process may still take it before it is used; who starts a server retries with a new one.
 */
export async function freePort(remembered: number | undefined, taken: ReadonlySet<number>): Promise<number> {
  if (remembered !== undefined && !taken.has(remembered) && (await tryPort(remembered)) !== null) return remembered;
  for (;;) {
    const port = await tryPort(0);
    if (port !== null && !taken.has(port)) return port;
  }
}
