/** Moves the focus to what a new page begins with, so that a screen reader reads it. */
import type { RefObject } from "preact";
import { useEffect, useRef } from "preact/hooks";

export function useFocus<T extends HTMLElement>(): RefObject<T | null> {
  const element = useRef<T>(null);
  useEffect(() => element.current?.focus({ preventScroll: true }), []);
  return element;
}
