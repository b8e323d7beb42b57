// What system calls cost, counted message by message; the one way in which everything here counts.

/** What a call has cost so far. */
export type Cost = {
  /** Times that it waited for a server. */
  trips: number;
  /** 9P messages, requests and replies. */
  messages: number;
  /** Bytes of messages, both ways. */
  bytes: number;
  /** Something was sent that has no answer yet. */
  asked: boolean;
};

export function newcost(): Cost {
  return { trips: 0, messages: 0, bytes: 0, asked: false };
}

/** Counts a message. A round trip is a reply to what was sent since the last one: a window of requests is one. */
export function addmessage(cost: Cost, sending: boolean, bytes: number): void {
  cost.messages++;
  cost.bytes += bytes;
  if (sending) cost.asked = true;
  else if (cost.asked) {
    cost.trips++;
    cost.asked = false;
  }
}
