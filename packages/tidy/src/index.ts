export { floors, type PackageRule } from './floors.ts';
