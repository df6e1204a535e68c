import { ticksOf } from '../heatmap/bar';

test.each([
  [0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]],
  [0, 0.987, [0, 0.2, 0.4, 0.6, 0.8]],
  [0, 3, [0, 0.5, 1, 1.5, 2, 2.5, 3]],
  [-0.25, 0.25, [-0.2, -0.1, 0, 0.1, 0.2]],
  [-70, 70, [-60, -40, -20, 0, 20, 40, 60]],
  [0, 3e-9, [0, 5e-10, 1e-9, 1.5e-9, 2e-9, 2.5e-9, 3e-9]]
])('round numbers from %p to %p', (low, high, ticks) => {
  expect(ticksOf(low, high)).toEqual(ticks);
});

test.each([1e-45, 1e-10, 0.07, 0.7, 1.3, 4.9, 1e5, 3.4e38])(
  'some six of them up to %p, none of them outside',
  high => {
    const ticks = ticksOf(0, high);
    expect(ticks.length).toBeGreaterThanOrEqual(4);
    expect(ticks.length).toBeLessThanOrEqual(10);
    expect(ticks[0]).toBe(0);
    expect(ticks[ticks.length - 1]).toBeLessThanOrEqual(high * (1 + 1e-9));
  }
);
