import { createRandom } from "../mnist/training/random.js";

/** Samples a second. */
export const sampleRate = 16_000;

/** A piece of sound with a name. */
export interface SoundPart {
  readonly title: string;
  /** Whether somebody could be speaking in it. */
  readonly voiced: boolean;
  /** From -1 to 1. */
  readonly samples: Float32Array;
}

/** Sixty chunks of 32 ms. */
const partSeconds = 1.92;
const seed = 20_261_122;

/** Frequency and width of three resonances of the mouth, in Hz. Source: Peterson and Barney, 1952 (men's means). */
const vowels: readonly (readonly (readonly [frequency: number, width: number])[])[] = [
  [
    [730, 80],
    [1090, 90],
    [2440, 120],
  ],
  [
    [270, 60],
    [2290, 90],
    [3010, 120],
  ],
  [
    [300, 60],
    [870, 80],
    [2240, 120],
  ],
  [
    [530, 60],
    [1840, 90],
    [2480, 120],
  ],
  [
    [570, 70],
    [840, 80],
    [2410, 120],
  ],
];
const syllablesPerSecond = 4;
const pitchHz = 120;

/**
 * Makes about two seconds each of silence, noise, a whistle, a made voice that babbles vowels, and silence again; the same
 * on every run.
 */
export function createSound(): readonly SoundPart[] {
  const random = createRandom(seed);
  const part = (title: string, sampleAt: (seconds: number) => number): SoundPart => ({
    title,
    voiced: false,
    samples: Float32Array.from({ length: partSeconds * sampleRate }, (_, i) =>
      sampleAt(i / sampleRate),
    ),
  });
  return [
    part("silence", () => 0),
    part("noise", () => random.between(0.1)),
    part("whistle", (seconds) => 0.3 * Math.sin(2 * Math.PI * 1_000 * seconds)),
    { ...part("vowels", createVoice(random.next)), voiced: true },
    part("silence", () => 0),
  ];
}

/** A voice as speech synthesisers of the sixties made it: pulses of the glottis, rung through three resonances. */
function createVoice(next: () => number): (seconds: number) => number {
  const filters = [0, 1, 2].map(() => createResonance());
  let phase = 0;
  return (seconds) => {
    const melody = 0.06 * Math.sin(2 * Math.PI * 2.3 * seconds);
    const tremor = 0.02 * Math.sin(2 * Math.PI * 5.5 * seconds);
    phase += (pitchHz * (1 + melody + tremor)) / sampleRate;
    const pulse = phase >= 1 ? 1 : 0;
    phase -= pulse;
    const breath = 0.02 * (2 * next() - 1);
    const syllable = seconds * syllablesPerSecond;
    const vowel = vowels[Math.floor(syllable) % vowels.length] ?? [];
    let sample = pulse + breath;
    for (const [index, [frequency, width]] of vowel.entries()) {
      sample = filters[index]?.(sample, frequency, width) ?? sample;
    }
    return loudness * sample * Math.sqrt(Math.sin(Math.PI * (syllable % 1)));
  };
}

/** Brings the loudest sample to about a half. */
const loudness = 1_500;

/** A resonance of two poles. */
function createResonance(): (sample: number, frequency: number, width: number) => number {
  let last = 0;
  let beforeLast = 0;
  return (sample, frequency, width) => {
    const radius = Math.exp((-Math.PI * width) / sampleRate);
    const turn = (2 * Math.PI * frequency) / sampleRate;
    // Brings the peak to 1, so that no vowel drowns another.
    const gain = (1 - radius) * Math.sqrt(1 - 2 * radius * Math.cos(2 * turn) + radius * radius);
    const next = gain * sample + 2 * radius * Math.cos(turn) * last - radius * radius * beforeLast;
    beforeLast = last;
    last = next;
    return next;
  };
}
