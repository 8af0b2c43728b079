import type { Socket } from "node:net";
import { createServer, InvalidCredentialsError, type Server } from "ldapjs";

/** What of the library's requests and answers is needed; its types know nothing of them. */
interface BindRequest {
  readonly dn: { toString(): string };
  readonly credentials: string;
  readonly connection: Socket;
}

type Next = (error?: InvalidCredentialsError) => void;

/** A real LDAP server (`ldapjs`) on a port of its own, which lets in who has an entry and knows its password. */
export class DirectoryServer implements AsyncDisposable {
  /** Names that were bound as, let in or not. */
  readonly binds: string[] = [];
  /** Connections over which somebody was bound, open or not. */
  readonly connections = new Set<Socket>();
  /** Runs before a bind is answered. */
  beforeAnswer: (connection: Socket) => unknown = () => undefined;
  readonly #server: Server;

  constructor(passwords: Readonly<Record<string, string>>, tls?: { readonly key: string; readonly cert: string }) {
    this.#server = createServer(tls === undefined ? {} : { key: tls.key, certificate: tls.cert });
    this.#server.bind("", async (request: BindRequest, answer: { end(): void }, next: Next) => {
      const name = request.dn.toString();
      this.binds.push(name);
      this.connections.add(request.connection);
      await this.beforeAnswer(request.connection);
      // As directories do: no password is no proof, but no failure either (RFC 4513, 5.1.2).
      if (request.credentials !== "" && passwords[name] !== request.credentials) {
        return next(new InvalidCredentialsError());
      }
      answer.end();
      return next();
    });
  }

  listen(): Promise<void> {
    return new Promise((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  get port(): number {
    return Number(new URL(this.#server.url).port);
  }

  /** How many of the {@link connections} are open. */
  get openConnections(): number {
    return [...this.connections].filter(({ destroyed }) => !destroyed).length;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }
}

/** Starts a {@link DirectoryServer} with passwords by the name of their entry. */
export async function startDirectory(
  passwords: Readonly<Record<string, string>>,
  tls?: { readonly key: string; readonly cert: string },
): Promise<DirectoryServer> {
  const server = new DirectoryServer(passwords, tls);
  await server.listen();
  return server;
}
