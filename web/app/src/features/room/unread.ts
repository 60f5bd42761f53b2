/** How many messages came while nobody could see them. */
import { useEffect, useState } from "preact/hooks";

export function useUnread(messages: number, open: boolean): number {
  const [seen, setSeen] = useState(messages);
  useEffect(() => {
    if (open) setSeen(messages);
  }, [messages, open]);
  return open ? 0 : Math.max(0, messages - seen);
}
