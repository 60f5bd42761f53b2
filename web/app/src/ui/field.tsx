/** A labelled line of text. */
import { useId } from "preact/hooks";
import type { JSX } from "preact";

interface FieldProps {
  readonly label: string;
  readonly hint?: string;
  readonly value: string;
  readonly onInput: (value: string) => void;
  readonly placeholder?: string;
  readonly maxLength: number;
  readonly autoComplete?: "name" | "off";
  readonly problem?: string | null;
  readonly testId?: string;
}

export function Field(props: FieldProps): JSX.Element {
  const { label, hint, value, onInput, placeholder, maxLength, autoComplete = "off", problem, testId } = props;
  const id = useId();
  return (
    <div class="field">
      <label for={id}>
        {label}
        {hint && <span class="field-hint"> ({hint})</span>}
      </label>
      <input
        id={id}
        type="text"
        value={value}
        placeholder={placeholder}
        maxLength={maxLength}
        autoComplete={autoComplete}
        aria-invalid={problem ? true : undefined}
        aria-describedby={problem ? `${id}-problem` : undefined}
        data-testid={testId}
        onInput={(event) => onInput(event.currentTarget.value)}
      />
      {problem && (
        <p class="field-problem" id={`${id}-problem`} role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}
