// A channel is offered once, by whatever ids it is reached.
import { describe, expect, it } from 'vitest';
import type { ProviderView } from '../src/api/schema';
import { choices } from '../src/features/accounts/choices';

const provider = (channel: string, plugin_id: string, source: 'builtin' | 'plugin') => ({ channel, plugin_id, source }) as ProviderView;
const offered = (...providers: ProviderView[]) => choices(providers).map((one) => one.channel);

describe('the channels offered for a new account', () => {
  it('name a built-in once, by its own id', () => {
    expect(offered(provider('bottle', 'post', 'builtin'), provider('post', 'post', 'builtin'))).toEqual(['post']);
  });

  it('name the plugin beside the built-in that could stand in for it', () => {
    expect(offered(provider('bottle', 'bottle', 'plugin'), provider('post', 'post', 'builtin'))).toEqual(['bottle', 'post']);
  });

  it('keep a further id where users are shown only that one', () => {
    expect(offered(provider('letters', 'mail', 'builtin'))).toEqual(['letters']);
  });
});
