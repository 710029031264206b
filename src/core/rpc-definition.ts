/** Path and kind of a method: what is known of it without its messages. */
export interface RpcHead {
  /** `/package.Service/Method`. */
  readonly path: string;
  readonly requestStream: boolean;
  readonly responseStream: boolean;
}

/** What the kit needs of a generated method definition; `wire/rpc.ts` makes it from ts-proto's. */
export interface RpcDefinition<Req, Res> extends RpcHead {
  readonly encodeRequest: (message: Req) => Uint8Array;
  readonly decodeRequest: (bytes: Uint8Array) => Req;
  readonly encodeResponse: (message: Res) => Uint8Array;
  readonly decodeResponse: (bytes: Uint8Array) => Res;
}
