import { GatewayError, messageOf } from "@fngate/kernel";
import type { ChannelCredentials } from "@grpc/grpc-js";
import { noop } from "cockatiel";
import { Etcd3, type IOptions } from "etcd3";
import { etcdCredentials } from "./credentials.ts";
import type { EndpointAddress, EtcdStoreOptions } from "./options.ts";

/**
 * gRPC's own defaults suit a data centre's outage, not a restart: after a refused connection it waits 1 s, later
 * up to 2 min, and fails every call meanwhile. A restarted etcd is to be found again within a second.
 */
const RECONNECT = { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 1_000 };

/**
 * Pings notice a peer that vanished without closing its connection. etcd answers pings more frequent than 5 s
 * (its `grpc-keepalive-min-time`) by hanging up, hence 10 s.
 */
const KEEPALIVE = { "grpc.keepalive_time_ms": 10_000, "grpc.keepalive_timeout_ms": 5_000 };

/** Node's gRPC accepts 4 MiB per message by default, which one big transaction in a watch can pass. */
const MESSAGES = { "grpc.max_receive_message_length": -1 };

/** gRPC's books about its own channels and calls cost every call, and nobody reads them here. */
const UNWATCHED = { "grpc.enable_channelz": 0 };

/**
 * One etcd3 client of one endpoint, all of its own fault handling off: its three blind retries would repeat
 * writes, and its circuit breaker answers for a dead etcd 5 s after that is back. Opens no connection by itself.
 *
 * Raises `CONFIG_INVALID` when the TLS material cannot be used.
 */
export function createClient(address: EndpointAddress, options: EtcdStoreOptions): Etcd3 {
  const { timeoutMs, user, password, tls } = options;
  const deadline = () => ({ deadline: Date.now() + timeoutMs });
  const settings: IOptions = {
    hosts: [address.url],
    grpcOptions: { ...RECONNECT, ...KEEPALIVE, ...MESSAGES, ...UNWATCHED },
    faultHandling: { host: () => noop, global: noop },
    // The password is exchanged for a token by a call that has no other bound.
    ...(user === undefined ? {} : { auth: { username: user, password: password ?? "", callOptions: deadline } }),
  };
  if (!address.isSecure) return new Etcd3(settings);
  try {
    return new SecuredClient(settings, etcdCredentials(address, tls));
  } catch (error) {
    const message = `the tls settings for etcd cannot be used: ${messageOf(error)}`;
    throw new GatewayError("CONFIG_INVALID", message, { cause: error });
  }
}

/**
 * etcd3 has no setting for skipping verification or for another server name, and its password exchange ignores
 * the channel options, so the credentials it made are replaced by our own before the first connection.
 */
class SecuredClient extends Etcd3 {
  constructor(settings: IOptions, channelCredentials: ChannelCredentials) {
    super(settings);
    for (const host of this.pool["hosts"]) replace(host, { channelCredentials });
    replace(this.pool["authenticator"], { credentials: channelCredentials });
  }
}

function replace(owner: object, fields: Record<string, ChannelCredentials>): void {
  for (const name of Object.keys(fields)) {
    if (!(name in owner)) throw new Error(`this release of etcd3 keeps no "${name}"`);
  }
  Object.assign(owner, fields);
}
