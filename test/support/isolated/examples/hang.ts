it('hangs', () => {
  for (;;); // No time limit within the process ends this.
});
