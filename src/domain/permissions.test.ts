import { describe, expect, it } from 'vitest';
import { assertMay, may, type Permission, permissions } from './permissions.ts';
import { type Role, roles } from './user.ts';

const actor = (role: Role) => ({ userId: '01890000-0000-7000-8000-000000000000', email: 'a@example.com', role });

describe('permissions', () => {
  it('leave a customer to what is their own', () => {
    const ofCustomers = Object.keys(permissions).filter((name) => may(actor('NORMAL'), name as Permission));
    expect(ofCustomers.sort()).toEqual([
      'account:read',
      'bot:read',
      'order:cancel',
      'order:checkout',
      'order:place',
      'order:read',
    ]);
  });

  it('give a VIP a lane and nothing else', () => {
    for (const name of Object.keys(permissions) as Permission[])
      expect(may(actor('VIP'), name)).toBe(may(actor('NORMAL'), name));
  });

  it('let robots work, and only them', () => {
    expect(roles.filter((role) => may(actor(role), 'bot:work-as'))).toEqual(['BOT']);
    expect(may(actor('BOT'), 'order:place')).toBe(false);
  });

  it('say for whom a refused thing is', () => {
    expect(() => assertMay(actor('VIP'), 'order:refund')).toThrow('it is for: manager.');
    expect(() => assertMay(actor('MANAGER'), 'order:refund')).not.toThrow();
  });
});
