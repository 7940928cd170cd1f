import { expect } from 'chai';
import { createServer, type Server } from 'node:net';
import { freePort, tryPort } from '../../src/stack/free-port.js';

function listen(): Promise<{ server: Server; port: number }> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : 0 });
    });
  });
}

describe('free ports', () => {
  it('keeps a remembered port that is free', async () => {
    const { server, port } = await listen();
    await new Promise((resolve) => server.close(resolve));
    expect(await freePort(port, new Set())).to.equal(port);
  });

  it('leaves a remembered port that another process holds', async () => {
    const { server, port } = await listen();
    try {
      expect(await tryPort(port)).to.equal(null);
      const other = await freePort(port, new Set());
      expect(other).to.be.within(1, 65535).and.not.equal(port);
    } finally {
      server.close();
    }
  });

  it('gives no port twice in one run', async () => {
    const first = await freePort(undefined, new Set());
    expect(await freePort(first, new Set([first]))).to.not.equal(first);
  });
});
