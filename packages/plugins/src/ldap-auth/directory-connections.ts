import { createRequire } from "node:module";
import { type Clock, lazy } from "@fngate/kernel";
import type { Client } from "ldapts";

const require = createRequire(import.meta.url);
const ldapts = lazy((): typeof import("ldapts") => require("ldapts"));

/** Connections that are kept while nobody binds over them. */
const MOST_IDLE = 5;

/** How often those that nobody bound over since the last time are ended: after half to one minute (APISIX: one). */
const IDLE_MS = 30_000;

interface Idle {
  readonly client: Client;
  readonly sinceMs: number;
}

/**
 * Connections to an LDAP server, which stay open between binds. A bind makes whoever was bound before be forgotten (RFC
 * 4511, 4.2.1), and nothing but binds is sent; a connection has one of them under way at most. None is sent twice: the
 * server may have counted it, and lock the account of somebody who was wrong once.
 */
export class DirectoryConnections {
  readonly #open: () => Client;
  readonly #clock: Clock;
  readonly #idle: Idle[] = [];
  readonly #closing = new AbortController();
  #isSweeping = false;

  constructor(open: () => Client, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  /** Rejects when the server does not let somebody in, or cannot be asked. */
  async bind(name: string, password: string): Promise<void> {
    const client = this.#take();
    let isSound = false;
    try {
      await client.bind(name, password);
      isSound = true;
    } catch (error) {
      isSound = error instanceof ldapts().InvalidCredentialsError;
      throw error;
    } finally {
      if (isSound) this.#keep(client);
      else end(client);
    }
  }

  /** Ends the connections; those with a bind under way when it is answered. */
  close(): void {
    this.#closing.abort();
    for (const { client } of this.#idle.splice(0)) end(client);
  }

  /** The one used last, so that those of a rush grow old. */
  #take(): Client {
    for (let last = this.#idle.pop(); last !== undefined; last = this.#idle.pop()) {
      if (last.client.isConnected) return last.client;
      end(last.client);
    }
    return this.#open();
  }

  #keep(client: Client): void {
    if (this.#closing.signal.aborted || this.#idle.length >= MOST_IDLE || !client.isConnected) {
      end(client);
      return;
    }
    this.#idle.push({ client, sinceMs: this.#clock.monotonicMs() });
    if (!this.#isSweeping) this.#sweep().catch(() => {});
  }

  /** Runs while there is something to end. */
  async #sweep(): Promise<void> {
    this.#isSweeping = true;
    try {
      while (this.#idle.length > 0) {
        await this.#clock.sleep(IDLE_MS, this.#closing.signal);
        const oldestMs = this.#clock.monotonicMs() - IDLE_MS;
        const fresh = this.#idle.findIndex(({ sinceMs }) => sinceMs > oldestMs);
        for (const { client } of this.#idle.splice(0, fresh < 0 ? this.#idle.length : fresh)) end(client);
      }
    } finally {
      this.#isSweeping = false;
    }
  }
}

/** The library's way to say goodbye fails where the connection is gone already. */
function end(client: Client): void {
  client.unbind().catch(() => {});
}
