describe('a crash', () => {
  it('comes after this one', () => undefined);
  it('is here', () => {
    console.error('last words');
    process.kill(process.pid, 'SIGKILL');
    for (;;); // The signal is on its way.
  });
  it('comes before this one', () => undefined);
});
