/** What stands in for a picture: initials on a colour that belongs to the name. Pure. */

export function initialsOf(name: string): string {
  const words = name.trim().split(/\s+/u).filter(Boolean);
  const first = firstLetter(words[0]);
  const last = words.length > 1 ? firstLetter(words.at(-1)) : "";
  return (first + last).toLocaleUpperCase();
}

/** A hue in degrees; the same for the same name everywhere. */
export function hueOf(name: string): number {
  let hash = 0;
  for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) >>> 0;
  return hash % 360;
}

function firstLetter(word: string | undefined): string {
  // By grapheme, so that an emoji or an accented letter stays whole.
  const [first] = new Intl.Segmenter().segment(word ?? "");
  return first?.segment ?? "";
}
